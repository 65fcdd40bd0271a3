namespace Telemetry.Nats;

/// <summary>Where a stream keeps its messages.</summary>
public enum StreamStorage
{
    /// <summary>Files in the server's store directory.</summary>
    File,

    /// <summary>The server's memory; gone when it stops.</summary>
    Memory,
}

/// <summary>What a full stream does.</summary>
public enum StreamDiscard
{
    /// <summary>It refuses the new message: the publisher gets an error.</summary>
    New,

    /// <summary>It drops the oldest ones in silence.</summary>
    Old,
}

/// <summary>What a stream is to be. Source: nats-server 2.9, JetStream API <c>stream_configuration</c>.</summary>
public sealed record StreamConfiguration
{
    /// <summary>One token without wildcards.</summary>
    public required string Name { get; init; }

    /// <summary>The subjects it takes; no other stream may take any of them.</summary>
    public required IReadOnlyList<string> Subjects { get; init; }

    /// <summary>Words for people. Default: none.</summary>
    public string? Description { get; init; }

    /// <summary>
    /// Bytes it holds at most, overhead included; at the limit see <see cref="Discard"/>. Default: no limit.
    /// </summary>
    public long? MaxBytes { get; init; }

    /// <summary>Messages older than this are removed. Default: never.</summary>
    public TimeSpan? MaxAge { get; init; }

    /// <summary>What happens at <see cref="MaxBytes"/>. Default: the new message is refused, never silence.</summary>
    public StreamDiscard Discard { get; init; } = StreamDiscard.New;

    /// <summary>
    /// For how long a message id is remembered; a repeat is answered as a duplicate and not stored. The server keeps
    /// an id for the whole window, even when its message was purged. Default 2 min; not above MaxAge.
    /// </summary>
    public TimeSpan DuplicateWindow { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>Default: files.</summary>
    public StreamStorage Storage { get; init; } = StreamStorage.File;

    /// <summary>Copies in a cluster, 1 to 5. Default 1; a single server takes no more.</summary>
    public int Replicas { get; init; } = 1;

    /// <summary>Any replica may answer reads. Default false: reads see what the leader sees.</summary>
    public bool AllowDirect { get; init; }
}
