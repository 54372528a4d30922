"""`python -m diafana` is the command `diafana`."""

from diafana.cli import main

main()
