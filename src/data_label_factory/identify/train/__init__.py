"""Reference views → a bank of features → a trained projection head.

All in numpy. Applying a head lives in `encoders.head`.
"""
