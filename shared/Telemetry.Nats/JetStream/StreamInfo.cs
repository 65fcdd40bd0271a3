namespace Telemetry.Nats;

/// <summary>A stream and what it holds, at the moment of the answer.</summary>
public sealed record StreamInfo
{
    /// <summary>Its configuration as the server keeps it.</summary>
    public required StreamConfiguration Configuration { get; init; }

    /// <summary>
    /// When the stream was made (UTC, rounded down to 100 ns): a stream deleted and made anew differs in it.
    /// </summary>
    public required DateTimeOffset Created { get; init; }

    /// <summary>Messages held.</summary>
    public required ulong Messages { get; init; }

    /// <summary>Bytes held, overhead included.</summary>
    public required ulong Bytes { get; init; }

    /// <summary>
    /// Sequence of the first message held. Of an empty stream: 0 if it never held one, else the last one and 1.
    /// </summary>
    public required ulong FirstSequence { get; init; }

    /// <summary>
    /// Sequence of the last message ever written; 0 if there never was one. Purging does not lower it.
    /// </summary>
    public required ulong LastSequence { get; init; }

    /// <summary>When the first message held was stored (UTC); null if there is none.</summary>
    public required DateTimeOffset? FirstTime { get; init; }

    /// <summary>When the last message was stored (UTC); null if there never was one.</summary>
    public required DateTimeOffset? LastTime { get; init; }

    /// <summary>Consumers now, ephemeral ones included.</summary>
    public required int Consumers { get; init; }
}

/// <summary>The server's word that a message is stored.</summary>
/// <param name="Stream">The stream that took it.</param>
/// <param name="Sequence">Its sequence there; of a duplicate the sequence of the first message with that id.</param>
/// <param name="IsDuplicate">
/// The message id was seen within the duplicate window and this message was not stored. It does not prove that the
/// first one is still there: it may have been purged since.
/// </param>
public readonly record struct PublishAck(string Stream, ulong Sequence, bool IsDuplicate);

/// <summary>A message read back by its sequence.</summary>
public sealed record StoredMessage
{
    /// <summary>The subject it was published on.</summary>
    public required string Subject { get; init; }

    /// <summary>Its sequence in the stream.</summary>
    public required ulong Sequence { get; init; }

    /// <summary>Its headers; empty without any.</summary>
    public required NatsHeaders Headers { get; init; }

    /// <summary>Its payload.</summary>
    public required ReadOnlyMemory<byte> Data { get; init; }

    /// <summary>When it was stored: nanoseconds since 1970-01-01 UTC, equal to what a consumer is told.</summary>
    public required long StoredAtNanoseconds { get; init; }
}
