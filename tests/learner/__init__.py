"""A simulated person who learns to type, and policies of what to give them."""
