"""The simulator: one process that speaks the back-office systems' own wires on loopback, with seeded customers.

The service reaches it by those wires alone; settings decide whether a system is simulated or real.
"""
