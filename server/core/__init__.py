"""What typing is: no I/O, no clock, no dice, no log. Time and chance come in as arguments."""
