"""Reference pictures from catalogues on the network, or from one's own folder. Needs no more than the base install."""
