using System.Text;
using NATS.Client.JetStream.Models;
using Telemetry.Streams.JetStream;
using Telemetry.TestKit.Servers;
using StoredMessage = Telemetry.Streams.JetStream.StoredMessage;

namespace Telemetry.Integration.Streams;

/// <summary>Connections to a test's own server, and what the tests do again and again with them.</summary>
internal static class NatsClients
{
    public static NatsOptions Options(NatsServer server) => new() { Servers = [server.Url] };

    public static Task<JetStreamConnection> Connect(NatsServer server) =>
        JetStreamConnection.ConnectAsync(Options(server));

    public static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    public static string Text(this StoredMessage message) => Encoding.UTF8.GetString(message.Data.Span);

    public static StreamConfig Config(string name = "S") => new(name, [name + ".>"])
    {
        Discard = StreamConfigDiscard.New,
        DuplicateWindow = TimeSpan.FromMinutes(2),
    };

    public static async Task<StreamInfo> MakeStream(this JetStreamConnection connection, StreamConfig? config = null) =>
        (await connection.Context.CreateStreamAsync(config ?? Config())).Info;

    public static async Task<StreamInfo> StreamInfo(this JetStreamConnection connection) =>
        (await connection.FindStreamAsync("S", default))!;

    /// <summary>A stop for tests that would otherwise hang; generous, since the machine may be busy.</summary>
    public static CancellationToken Limit(int seconds = 30) =>
        new CancellationTokenSource(TimeSpan.FromSeconds(seconds)).Token;

    public static ValueTask<PullConsumer> Begin(
        this JetStreamConnection connection, ulong from, PullConsumerOptions? options = null) =>
        PullConsumer.BeginAsync(connection, "S", from, options ?? new PullConsumerOptions(), Limit());

    public static async Task<List<StoredMessage>> Read(PullConsumer consumer, int count)
    {
        var messages = new List<StoredMessage>();
        while (messages.Count < count)
        {
            Assert.True(await consumer.WaitToReadAsync(Limit()), $"The consumer ended early: {consumer.End}");
            while (messages.Count < count && consumer.TryRead(out var message))
            {
                messages.Add(message);
            }
        }

        return messages;
    }

    public static async Task<PullConsumerEnd> ReadToEnd(PullConsumer consumer, List<StoredMessage>? into = null)
    {
        while (await consumer.WaitToReadAsync(Limit()))
        {
            while (consumer.TryRead(out var message))
            {
                into?.Add(message);
            }
        }

        return consumer.End!;
    }

    /// <summary>
    /// Pulls that soon expire, and silence that never ends a consumer: a machine that stands still is silent too.
    /// </summary>
    public static readonly PullConsumerOptions Quick = new()
    {
        IdleHeartbeat = TimeSpan.FromMilliseconds(250),
        Expires = TimeSpan.FromSeconds(1),
        HeartbeatsMissedMax = 1_000_000,
    };

    /// <summary>Appends one message to S.</summary>
    public static async Task<PubAckResponse> Publish(
        this JetStreamConnection connection, byte[] data, string? messageId = null, CancellationToken stop = default) =>
        await connection.Window.PublishAsync("S.a", data, messageId, stop);

    public static async Task Publish(this JetStreamConnection connection, int from, int to) =>
        await Task.WhenAll(Enumerable.Range(from, to - from + 1)
            .Select(i => connection.Publish(Bytes($"{i}"), $"m{i}")));

    public static async Task Purge(this JetStreamConnection connection, ulong keepFrom) =>
        await connection.Context.PurgeStreamAsync("S", new StreamPurgeRequest { Seq = keepFrom });
}
