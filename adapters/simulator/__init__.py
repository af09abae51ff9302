"""The simulator: one process that speaks the protocols of all ten systems on loopback, with seeded customers.

The service reaches it only by these protocols; the settings decide whether a system is simulated or real.
"""
