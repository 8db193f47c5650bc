"""Storms: thousands of adverse rounds, each with a twin whose defence is off and which must fail.

`./run test storms` runs CI's share; STORMS=full runs the goals of docs/reliability.md. Every failure names its seed;
`./run test storms -k NAME --seed N` plays that one again.
"""
