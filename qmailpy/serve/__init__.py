"""What the network servers share: who connects, the rules of the session, the world around it."""
