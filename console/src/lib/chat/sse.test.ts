import { describe, expect, it } from 'vitest'
import { SseReader } from './sse'

const bytes = (text: string) => new TextEncoder().encode(text)

describe('an event stream', () => {
  it('gives the data of each whole event', () => {
    expect(new SseReader().push(bytes('data: {"a":1}\n\ndata: [DONE]\n\n'))).toEqual(['{"a":1}', '[DONE]'])
  })

  it('waits for the rest of an event that is cut anywhere', () => {
    const whole = bytes('event: x\r\ndata: {"text":"grüß"}\r\n\r\ndata: two\r\n\r\n')
    for (let cut = 1; cut < whole.length; cut += 1) {
      const reader = new SseReader()
      const events = [...reader.push(whole.slice(0, cut)), ...reader.push(whole.slice(cut))]
      expect(events).toEqual(['{"text":"grüß"}', 'two'])
    }
  })

  it('joins the lines of one event', () => {
    expect(new SseReader().push(bytes('data: a\ndata:b\n\n'))).toEqual(['a\nb'])
  })

  it('leaves out comments and what has no data', () => {
    expect(new SseReader().push(bytes(': keep-alive\n\nevent: ping\nid: 4\n\ndata: x\n\n'))).toEqual(['x'])
  })
})
