using Telemetry.Model.Frames;
using Telemetry.Model.Identity;
using Telemetry.Model.Protocol;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.Model.Wire;
using Telemetry.MqttSessions;
using Telemetry.TestKit.Mqtt;

namespace Telemetry.SystemTests;

/// <summary>A client with an identity of its own that sends frames whose checksum is wrong.</summary>
public static class Intrusion
{
    /// <summary>Sends so many frames; gives the reason code that each was refused with.</summary>
    public static async Task<IReadOnlyList<MqttReasonCode>> SendBrokenFramesAsync(
        int port, string gateway, string password, int frames, CancellationToken cancellationToken)
    {
        var id = GatewayId.Parse(gateway);
        await using var client = new TestMqttClient(new TestMqttOptions
        {
            Port = port,
            ClientId = gateway,
            UserName = gateway,
            Password = password,
        });
        var connected = await client.ConnectAsync(cancellationToken);
        if (!connected.IsSuccess)
        {
            throw new InvalidOperationException(
                $"the intruder was not let in: {connected.ReasonCode} {connected.ReasonString}");
        }

        var reasons = new List<MqttReasonCode>();
        for (var i = 1; i <= frames; i++)
        {
            var answer = await client.PublishAsync(MqttTopics.Frames(id, Lane.Live), BrokenFrame(i))
                .WaitAsync(cancellationToken);
            reasons.Add(answer.ReasonCode);
        }

        return reasons;
    }

    private static byte[] BrokenFrame(int sequence)
    {
        var batch = new ReadingBatch();
        batch.Add(0, 1, 1.0);
        var writer = new WireWriter();
        new FrameEnvelope(1, new Attempt(1, sequence)).Write(writer);
        var header = new FrameHeader
        {
            Kind = FrameKind.Readings,
            Key = new FrameKey(1, Lane.Live, sequence, 1),
            Schema = new SchemaId(1, 1),
        };
        FrameWriter.Write(writer, header, [], batch, [0], [MetricType.Float]);
        var bytes = writer.ToArray();
        bytes[^1] ^= 0xff;
        return bytes;
    }
}
