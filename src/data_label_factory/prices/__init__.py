"""What things cost: price files, the sites they come from, and exchange rates. Needs no more than the base install."""
