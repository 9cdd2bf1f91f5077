"""A small implementation of MIKEY-IBAKE (RFC 6267) in Python: the initiator and the responder of a call.

It is written from the RFCs and the profile, knows no adapter and no JSON, and shares no code with libibake. What every
implementation has and nobody is interested in here, IBE, elliptic curves, key derivation and the reading of messages,
comes from tests/independent of ibakelab, by `library`; in a project of your own that is your own code.
"""
