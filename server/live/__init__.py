"""Websockets: connections, the attempts they drive, and who is here."""
