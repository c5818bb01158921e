"""Reference pictures from catalogs on the network, or from your own
folder, named by their labels.

Needs only the base install. What is done with the pictures belongs to
`identify`.
"""
