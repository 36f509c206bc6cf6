"""How fast the server is: people who type in real time, and echo servers given the same frames."""
