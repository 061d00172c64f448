"""What the product withstands (quality.md, Faults): the real one, under load, with something killed, cut or taken away.

`make test` has each fault in a short form, `make faults` in the long one; FAULTS_SEED makes the same choices again.
"""
