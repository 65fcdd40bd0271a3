using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Telemetry.Nats;

/// <summary>
/// JetStream over a connection: streams, acknowledged publishing, reading by sequence. For consuming see
/// <see cref="PullConsumer"/>. Holds no resource of its own; its publish window is shared by all who use it. All
/// members may be called from any thread. Every call can throw <see cref="JetStreamException"/> (the server's error),
/// <see cref="NatsTimeoutException"/>, <see cref="NatsConnectionException"/> and
/// <see cref="NatsNoRespondersException"/> (JetStream is off or not up yet).
/// Source: NATS ADR-1, ADR-8, ADR-13; nats-server 2.9.
/// </summary>
public sealed class JetStreamContext
{
    private const string Api = "$JS.API.";
    private readonly JetStreamPublisher _publisher;

    /// <summary>Creates a context with a publish window of its own.</summary>
    public JetStreamContext(NatsConnection connection, JetStreamOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(connection);
        Options = options ?? new();
        Options.Validate();
        Connection = connection;
        _publisher = new(connection, Options);
    }

    /// <summary>The connection it uses.</summary>
    public NatsConnection Connection { get; }

    /// <summary>The options it was made with.</summary>
    public JetStreamOptions Options { get; }

    /// <summary>Publishes that wait for their acknowledgement now.</summary>
    public int PublishesInFlight => _publisher.InFlight;

    /// <summary>
    /// Publishes and returns when the stream has stored the message. Many may be under way: at
    /// <see cref="JetStreamOptions.PublishesInFlightMax"/> it waits. Calls made one after the other leave in that
    /// order.
    /// </summary>
    /// <param name="subject">Must be taken by a stream, else <see cref="NatsNoRespondersException"/>.</param>
    /// <param name="payload">Must stay unchanged until the call ends.</param>
    /// <param name="messageId">
    /// Value of Nats-Msg-Id: a repeat within the stream's duplicate window is not stored again. Retry a publish whose
    /// outcome is unknown (<see cref="NatsException.IsTransient"/>) with the same id; give a message that has to be
    /// stored again for certain a new one.
    /// </param>
    /// <param name="headers">Optional further headers.</param>
    /// <param name="ct">Cancels the wait; the message may be stored all the same.</param>
    /// <exception cref="JetStreamException">E.g. <see cref="JetStreamErrorCodes.StoreFailed"/>: not stored.</exception>
    public ValueTask<PublishAck> PublishAsync(
        string subject,
        ReadOnlyMemory<byte> payload,
        string? messageId = null,
        NatsHeaders? headers = null,
        CancellationToken ct = default)
    {
        NatsSubjects.CheckPublish(subject);
        if (messageId is not null)
        {
            NatsHeaders.CheckValue(messageId);
        }

        return _publisher.PublishAsync(
            new() { Subject = subject, MessageId = messageId, Headers = headers, Payload = payload }, ct);
    }

    /// <summary>Creates a stream; the same configuration again is no error, another one is StreamNameInUse.</summary>
    public ValueTask<StreamInfo> CreateStreamAsync(
        StreamConfiguration configuration, CancellationToken ct = default) =>
        SendStreamAsync("STREAM.CREATE.", configuration, ct);

    /// <summary>Changes a stream's limits or subjects. What cannot be changed (storage, name) is an error.</summary>
    public ValueTask<StreamInfo> UpdateStreamAsync(
        StreamConfiguration configuration, CancellationToken ct = default) =>
        SendStreamAsync("STREAM.UPDATE.", configuration, ct);

    /// <summary>Creates the stream, or changes it to this configuration where it exists with another.</summary>
    public async ValueTask<StreamInfo> CreateOrUpdateStreamAsync(
        StreamConfiguration configuration, CancellationToken ct = default)
    {
        try
        {
            return await CreateStreamAsync(configuration, ct);
        }
        catch (JetStreamException e) when (e.ErrorCode == JetStreamErrorCodes.StreamNameInUse)
        {
            return await UpdateStreamAsync(configuration, ct);
        }
    }

    /// <summary>The stream as it stands, or null if there is none of that name.</summary>
    public async ValueTask<StreamInfo?> FindStreamAsync(string stream, CancellationToken ct = default)
    {
        NatsSubjects.CheckName(stream);
        var response = await CallAsync(
            "STREAM.INFO." + stream, default, JetStreamJson.Default.WireStreamResponse, ct);
        return response.Error is { ErrCode: JetStreamErrorCodes.StreamNotFound } ? null : ToInfo(Ensure(response));
    }

    /// <summary>Deletes the stream with all it holds. False: there is none of that name.</summary>
    public async ValueTask<bool> DeleteStreamAsync(string stream, CancellationToken ct = default)
    {
        NatsSubjects.CheckName(stream);
        var response = await CallAsync(
            "STREAM.DELETE." + stream, default, JetStreamJson.Default.WireSuccessResponse, ct);
        return response.Error is not { ErrCode: JetStreamErrorCodes.StreamNotFound } && Ensure(response).Success;
    }

    /// <summary>
    /// Removes messages from the front. The ids of what was removed stay in the duplicate window.
    /// </summary>
    /// <param name="stream">Its name.</param>
    /// <param name="keepFrom">The first sequence to keep; null removes all.</param>
    /// <param name="ct">Cancels the wait.</param>
    /// <returns>How many messages were removed.</returns>
    public async ValueTask<ulong> PurgeStreamAsync(
        string stream, ulong? keepFrom = null, CancellationToken ct = default)
    {
        NatsSubjects.CheckName(stream);
        if (keepFrom == 0)
        {
            // The server takes 0 for "no limit" and would remove all.
            return 0;
        }

        var request = JsonSerializer.SerializeToUtf8Bytes(
            new WirePurgeRequest { Seq = keepFrom }, JetStreamJson.Default.WirePurgeRequest);
        var response = await CallAsync(
            "STREAM.PURGE." + stream, request, JetStreamJson.Default.WireSuccessResponse, ct);
        return Ensure(response).Purged;
    }

    /// <summary>Reads one message; null if the stream holds none of that sequence. The leader answers.</summary>
    public async ValueTask<StoredMessage?> GetMessageAsync(
        string stream, ulong sequence, CancellationToken ct = default)
    {
        NatsSubjects.CheckName(stream);
        if (sequence == 0)
        {
            return null;
        }

        var request = JsonSerializer.SerializeToUtf8Bytes(
            new WireGetRequest(sequence), JetStreamJson.Default.WireGetRequest);
        var response = await CallAsync(
            "STREAM.MSG.GET." + stream, request, JetStreamJson.Default.WireGetResponse, ct);
        if (response.Error is { ErrCode: JetStreamErrorCodes.MessageNotFound })
        {
            return null;
        }

        var message = Ensure(response).Message ?? throw new NatsProtocolException("An answer without its message");
        return new()
        {
            Subject = message.Subject ?? "",
            Sequence = message.Seq,
            Headers = message.Hdrs is { Length: > 0 } block ? NatsHeaders.Read(block) : [],
            Data = message.Data ?? [],
            StoredAtNanoseconds = JetStreamTime.ReadNanoseconds(message.Time),
        };
    }

    internal async ValueTask<T> CallAsync<T>(
        string name, ReadOnlyMemory<byte> body, JsonTypeInfo<T> type, CancellationToken ct)
        where T : WireResponse
    {
        var reply = await Connection.RequestAsync(Api + name, body, Options.ApiTimeout, ct: ct);
        try
        {
            return JsonSerializer.Deserialize(reply.Data.Span, type)
                ?? throw new NatsProtocolException($"{name} was answered with null");
        }
        catch (Exception e) when (e is JsonException or FormatException)
        {
            throw new NatsProtocolException($"{name} was answered with malformed JSON", e);
        }
    }

    internal static T Ensure<T>(T response)
        where T : WireResponse =>
        response.Error is { } error
            ? throw new JetStreamException(error.Code, error.ErrCode, error.Description ?? "")
            : response;

    private async ValueTask<StreamInfo> SendStreamAsync(
        string call, StreamConfiguration configuration, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        NatsSubjects.CheckName(configuration.Name);
        foreach (var subject in configuration.Subjects)
        {
            NatsSubjects.Check(subject);
        }

        var request = JsonSerializer.SerializeToUtf8Bytes(
            StreamMapping.ToWire(configuration), JetStreamJson.Default.WireStreamConfig);
        var response = await CallAsync(
            call + configuration.Name, request, JetStreamJson.Default.WireStreamResponse, ct);
        return ToInfo(Ensure(response));
    }

    private static StreamInfo ToInfo(WireStreamResponse response) =>
        response is { Config: { } config, State: { } state }
            ? StreamMapping.ToInfo(config, state, response.Created)
            : throw new NatsProtocolException("An answer without the stream's configuration or state");
}
