"""Reference views → a bank of features → a trained projection head.

The only package that imports torch. Applying a head, without torch, lives in
`encoders.head`.
"""
