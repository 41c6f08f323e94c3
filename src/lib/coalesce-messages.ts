/**
 * Sends messages to another process in few pieces: the first of a turn of the event loop at once, those that follow in
 * the same turn together at its end. Each piece costs both processes a system call and a serialisation, about as much
 * as all other work on a small image.
 *
 * Where `send` throws, the messages of a piece are sent one by one, and `onUnsendable` gets those that can't be sent.
 */
export function coalesceMessages<Message>(
  send: (messages: Message[]) => void,
  onUnsendable: (message: Message, error: unknown) => void,
): (message: Message) => void {
  let following: Message[] | null = null; // null: nothing was sent in this turn
  const deliver = (messages: Message[]) => {
    try {
      send(messages);
    } catch (error) {
      if (messages.length === 1) onUnsendable(messages[0]!, error);
      else for (const message of messages) deliver([message]);
    }
  };
  const endTurn = () => {
    const messages = following!;
    following = null;
    if (messages.length > 0) deliver(messages);
  };
  return (message) => {
    if (following) {
      following.push(message);
      return;
    }
    following = [];
    setImmediate(endTurn);
    deliver([message]);
  };
}
