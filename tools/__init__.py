"""What makes files of the project from elsewhere; for developers, no part of the program."""
