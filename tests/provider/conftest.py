"""Every test of this folder may be asked through both adapters."""

from .adapters import adapter

__all__ = ["adapter"]
