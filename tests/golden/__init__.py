"""Cases that the Python and the JavaScript core must agree on, and the files both suites read."""
