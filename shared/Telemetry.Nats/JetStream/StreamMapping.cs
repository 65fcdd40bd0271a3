namespace Telemetry.Nats;

/// <summary>Between our words and the API's.</summary>
internal static class StreamMapping
{
    public static WireStreamConfig ToWire(StreamConfiguration configuration) => new()
    {
        Name = configuration.Name,
        Description = configuration.Description,
        Subjects = configuration.Subjects,
        MaxBytes = configuration.MaxBytes ?? -1,
        MaxAge = configuration.MaxAge is { } age ? JetStreamTime.ToNanoseconds(age) : 0,
        Discard = configuration.Discard == StreamDiscard.New ? "new" : "old",
        Storage = configuration.Storage == StreamStorage.File ? "file" : "memory",
        NumReplicas = configuration.Replicas,
        DuplicateWindow = JetStreamTime.ToNanoseconds(configuration.DuplicateWindow),
        AllowDirect = configuration.AllowDirect,
    };

    public static StreamInfo ToInfo(WireStreamConfig config, WireStreamState state, string? created) => new()
    {
        Configuration = new()
        {
            Name = config.Name,
            Description = string.IsNullOrEmpty(config.Description) ? null : config.Description,
            Subjects = config.Subjects ?? [],
            MaxBytes = config.MaxBytes > 0 ? config.MaxBytes : null,
            MaxAge = config.MaxAge > 0 ? JetStreamTime.ToTimeSpan(config.MaxAge) : null,
            Discard = config.Discard == "new" ? StreamDiscard.New : StreamDiscard.Old,
            Storage = config.Storage == "memory" ? StreamStorage.Memory : StreamStorage.File,
            Replicas = config.NumReplicas,
            DuplicateWindow = JetStreamTime.ToTimeSpan(config.DuplicateWindow),
            AllowDirect = config.AllowDirect,
        },
        Created = JetStreamTime.Read(created),
        Messages = state.Messages,
        Bytes = state.Bytes,
        FirstSequence = state.FirstSeq,
        LastSequence = state.LastSeq,
        FirstTime = state.Messages == 0 ? null : JetStreamTime.ReadOptional(state.FirstTs),
        LastTime = JetStreamTime.ReadOptional(state.LastTs),
        Consumers = state.ConsumerCount,
    };
}
