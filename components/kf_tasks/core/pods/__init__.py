"""What pods may have and do: settings, security, network, quota."""
