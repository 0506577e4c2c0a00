"""The plugin: the components for programs in every language of Pulumi, and the engine's provider of our resources."""
