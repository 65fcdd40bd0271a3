namespace Telemetry.Edge.Outbox.Offers;

/// <summary>
/// A request of a sender that may repeat itself, remembered in the commit that made its readings durable: a repeat gets
/// the same answer and stores nothing. <paramref name="Key"/> is a hash of who sent it and of his key,
/// <paramref name="Content"/> one of what was sent, <paramref name="Answer"/> the input's own words.
/// </summary>
public sealed record AnsweredRequest(UInt128 Key, UInt128 Content, ReadOnlyMemory<byte> Answer)
{
    /// <summary>The most bytes of an answer.</summary>
    public const int AnswerBytesMax = 4096;
}

/// <summary>A remembered request; <paramref name="Order"/> counts from 1 in this outbox, the oldest go first.</summary>
public sealed record RequestRow(long Order, AnsweredRequest Request);

/// <summary>
/// What happens when <see cref="OutboxOptions.RequestsMax"/> requests are remembered and none is old enough to go.
/// </summary>
public enum RequestsFull
{
    /// <summary>The oldest is forgotten early, and counted: a repeat of it would be stored again.</summary>
    ForgetOldest,

    /// <summary>An offer that wants to be remembered is refused, until the oldest has been kept for its time.</summary>
    Refuse,
}
