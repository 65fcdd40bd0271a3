using System.Text;
using Telemetry.Nats;
using Telemetry.Testing.Servers;

namespace Telemetry.Integration.Nats;

/// <summary>Connections to a test's own server, and small words for what the tests do again and again.</summary>
internal static class NatsClients
{
    public static NatsOptions Options(NatsServer server) => new()
    {
        Servers = [server.Url],
        ReconnectDelayMin = TimeSpan.FromMilliseconds(20),
        ReconnectDelayMax = TimeSpan.FromMilliseconds(200),
    };

    public static ValueTask<NatsConnection> Connect(NatsServer server) => NatsConnection.ConnectAsync(Options(server));

    public static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    public static string Text(this NatsMessage message) => Encoding.UTF8.GetString(message.Data.Span);

    public static string Text(this JetStreamMessage message) => Encoding.UTF8.GetString(message.Data.Span);

    public static StreamConfiguration Stream(string name = "S") => new()
    {
        Name = name,
        Subjects = [name + ".>"],
        DuplicateWindow = TimeSpan.FromMinutes(2),
    };

    /// <summary>A stop for tests that would otherwise hang; generous, since the machine may be busy.</summary>
    public static CancellationToken Limit(int seconds = 30) =>
        new CancellationTokenSource(TimeSpan.FromSeconds(seconds)).Token;

    public static async Task<List<JetStreamMessage>> Read(PullConsumer consumer, int count)
    {
        var messages = new List<JetStreamMessage>();
        var batch = new JetStreamMessage[100];
        while (messages.Count < count)
        {
            var room = Math.Min(batch.Length, count - messages.Count);
            var read = await consumer.ReadAsync(batch.AsMemory(0, room), Limit());
            Assert.True(read > 0, $"The consumer ended early: {consumer.End}");
            messages.AddRange(batch[..read]);
        }

        return messages;
    }

    public static async Task<PullConsumerEnd> ReadToEnd(PullConsumer consumer, List<JetStreamMessage>? into = null)
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

    public static async Task Publish(JetStreamContext jetStream, int from, int to) =>
        await Task.WhenAll(Enumerable.Range(from, to - from + 1)
            .Select(i => jetStream.PublishAsync("S.a", Bytes($"{i}"), $"m{i}").AsTask()));
}
