using System.Text.Json.Serialization;

namespace Telemetry.Nats;

// The JSON of the JetStream API, as far as this client uses it. Durations are nanoseconds. Fields that stand at
// their default are left out, which is what the server takes them for.

internal sealed record WireError(int Code, int ErrCode, string? Description);

internal sealed record WireStreamConfig
{
    public string Name { get; init; } = "";
    public string? Description { get; init; }
    public IReadOnlyList<string>? Subjects { get; init; }
    public string Retention { get; init; } = "limits";
    public long MaxBytes { get; init; } = -1;
    public long MaxMsgs { get; init; } = -1;
    public long MaxAge { get; init; }
    public int MaxConsumers { get; init; } = -1;
    public string Discard { get; init; } = "new";
    public string Storage { get; init; } = "file";
    public int NumReplicas { get; init; } = 1;
    public long DuplicateWindow { get; init; }
    public bool AllowDirect { get; init; }
}

internal sealed record WireStreamState
{
    public ulong Messages { get; init; }
    public ulong Bytes { get; init; }
    public ulong FirstSeq { get; init; }
    public string? FirstTs { get; init; }
    public ulong LastSeq { get; init; }
    public string? LastTs { get; init; }
    public int ConsumerCount { get; init; }
}

internal abstract record WireResponse
{
    public WireError? Error { get; init; }
}

internal sealed record WireStreamResponse : WireResponse
{
    public WireStreamConfig? Config { get; init; }
    public WireStreamState? State { get; init; }
    public string? Created { get; init; }
}

internal sealed record WireSuccessResponse : WireResponse
{
    public bool Success { get; init; }
    public ulong Purged { get; init; }
}

internal sealed record WireNamesRequest(int Offset);

internal sealed record WireNamesResponse : WireResponse
{
    public int Total { get; init; }
    public IReadOnlyList<string>? Streams { get; init; }
}

internal sealed record WirePurgeRequest
{
    public ulong? Seq { get; init; }
}

internal sealed record WireGetRequest(ulong Seq);

internal sealed record WireGetResponse : WireResponse
{
    public WireStoredMessage? Message { get; init; }
}

internal sealed record WireStoredMessage
{
    public string Subject { get; init; } = "";
    public ulong Seq { get; init; }
    public byte[]? Hdrs { get; init; }
    public byte[]? Data { get; init; }
    public string? Time { get; init; }
}

internal sealed record WireConsumerRequest(string StreamName, WireConsumerConfig Config);

internal sealed record WireConsumerConfig
{
    public string DeliverPolicy { get; init; } = "by_start_sequence";
    public ulong OptStartSeq { get; init; }
    public string AckPolicy { get; init; } = "none";
    public string ReplayPolicy { get; init; } = "instant";
    public long InactiveThreshold { get; init; }
    public int NumReplicas { get; init; } = 1;
    public bool MemStorage { get; init; } = true;
    public string? Description { get; init; }
}

internal sealed record WireConsumerResponse : WireResponse
{
    public string? Name { get; init; }
    public ulong NumPending { get; init; }
}

internal sealed record WirePullRequest(int Batch, long Expires, long IdleHeartbeat)
{
    public int? MaxBytes { get; init; }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(WireStreamConfig))]
[JsonSerializable(typeof(WireStreamResponse))]
[JsonSerializable(typeof(WireSuccessResponse))]
[JsonSerializable(typeof(WireNamesRequest))]
[JsonSerializable(typeof(WireNamesResponse))]
[JsonSerializable(typeof(WirePurgeRequest))]
[JsonSerializable(typeof(WireGetRequest))]
[JsonSerializable(typeof(WireGetResponse))]
[JsonSerializable(typeof(WireConsumerRequest))]
[JsonSerializable(typeof(WireConsumerResponse))]
[JsonSerializable(typeof(WirePullRequest))]
internal sealed partial class JetStreamJson : JsonSerializerContext;
