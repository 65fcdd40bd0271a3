using System.Buffers;
using System.Globalization;
using System.Text.Json;
using NATS.Client.Core;

namespace Telemetry.Streams.JetStream;

/// <summary>
/// Reads one message of a stream by its sequence. It does not use the library's types, which keep only seven of the
/// nine digits of the time of storage.
/// </summary>
internal static class StoredMessageQuery
{
    /// <summary>The message; null when the stream has no such sequence, or does not exist.</summary>
    public static async ValueTask<StoredMessage?> ReadAsync(
        JetStreamConnection connection, string stream, ulong sequence, CancellationToken cancellationToken)
    {
        var question = JsonSerializer.SerializeToUtf8Bytes(
            new Dictionary<string, ulong> { ["seq"] = sequence });
        var answer = await connection.Nats.RequestAsync<ReadOnlyMemory<byte>, NatsMemoryOwner<byte>>(
            $"{connection.Context.Opts.Prefix}.STREAM.MSG.GET.{stream}",
            question,
            requestSerializer: NatsRawSerializer<ReadOnlyMemory<byte>>.Default,
            replySerializer: NatsRawSerializer<NatsMemoryOwner<byte>>.Default,
            replyOpts: new NatsSubOpts { ThrowIfNoResponders = true },
            cancellationToken: cancellationToken);
        using var data = answer.Data;
        try
        {
            return Read(connection.Nats, data.Memory);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException
            or FormatException)
        {
            throw new FrameLogException($"message {sequence} of {stream}: the answer cannot be read", inner: e);
        }
    }

    private static StoredMessage? Read(INatsConnection connection, ReadOnlyMemory<byte> json)
    {
        using var answer = JsonDocument.Parse(json);
        if (answer.RootElement.TryGetProperty("error", out var error))
        {
            return error.GetProperty("err_code").GetInt32()
                is JetStreamErrors.MessageNotFound or JetStreamErrors.StreamNotFound
                ? null
                : throw new FrameLogException(string.Create(
                    CultureInfo.InvariantCulture,
                    $"JetStream: {error.GetProperty("description").GetString()} "
                    + $"(err_code {error.GetProperty("err_code").GetInt32()})"));
        }

        var message = answer.RootElement.GetProperty("message");
        var headers = message.TryGetProperty("hdrs", out var block)
            ? MessageHeaders.Read(connection, new ReadOnlySequence<byte>(block.GetBytesFromBase64())) : null;
        return new StoredMessage(
            message.GetProperty("subject").GetString()!,
            message.GetProperty("seq").GetUInt64(),
            headers.Find("Nats-Msg-Id"),
            message.TryGetProperty("data", out var data) ? data.GetBytesFromBase64() : [],
            JetStreamTime.TryReadNanoseconds(message.GetProperty("time").GetString(), out var stored)
                ? stored : throw new FormatException());
    }
}

/// <summary>A message as it is in a stream, with the time of storage in nanoseconds since 1970-01-01 UTC.</summary>
internal readonly record struct StoredMessage(
    string Subject, ulong Sequence, string? MessageId, ReadOnlyMemory<byte> Data, long StoredAtNanoseconds);
