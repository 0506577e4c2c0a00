"""What is seen faster than read: the last runs, the schedules of a week, what retention lets go; as SVG."""
