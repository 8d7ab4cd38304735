package web

// InvalidateAll forgets every answer.
func (c *answerCache) InvalidateAll() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, e := range c.entries {
		c.drop(e)
	}
}
