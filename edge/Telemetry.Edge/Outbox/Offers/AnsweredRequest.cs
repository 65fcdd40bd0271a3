namespace Telemetry.Edge.Outbox.Offers;

/// <summary>
/// A request of a sender that may repeat itself, remembered in the commit that made its readings durable, so that a
/// repeat gets the same answer and stores nothing. <paramref name="Key"/> is a hash of the sender and of the sender's
/// key, <paramref name="Content"/> a hash of the content, <paramref name="Answer"/> the text of the input's answer.
/// </summary>
public sealed record AnsweredRequest(UInt128 Key, UInt128 Content, ReadOnlyMemory<byte> Answer)
{
    /// <summary>The most bytes of an answer.</summary>
    public const int AnswerBytesMax = 4096;
}

/// <summary>
/// A remembered request. <paramref name="Order"/> counts from 1 in this outbox; the oldest are removed first.
/// </summary>
public sealed record RequestRow(long Order, AnsweredRequest Request);

/// <summary>
/// What happens when <see cref="OutboxOptions.RequestsMax"/> requests are remembered and none is old enough to be
/// removed.
/// </summary>
public enum RequestsFull
{
    /// <summary>The oldest is forgotten early and counted; a repeat of it would be stored again.</summary>
    ForgetOldest,

    /// <summary>An offer with a request is refused until the oldest request has been kept for its time.</summary>
    Refuse,
}
