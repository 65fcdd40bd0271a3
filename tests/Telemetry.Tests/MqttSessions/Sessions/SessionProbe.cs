using System.Buffers;
using MQTTnet.Packets;
using MQTTnet.Protocol;
using Telemetry.MqttSessions.Sessions;
using Telemetry.TestKit.Mqtt;

namespace Telemetry.Tests.MqttSessions.Sessions;

/// <summary>Feeds a session with packets and shows what it answers; the time is a field of the test's own.</summary>
internal sealed class SessionProbe(ServerSession session)
{
    public TimeSpan Now { get; set; }

    /// <summary>Gives the session bytes and returns how many of them it left.</summary>
    public long Receive(params byte[] bytes)
    {
        var sequence = new ReadOnlySequence<byte>(bytes);
        session.Receive(ref sequence, Now);
        return sequence.Length;
    }

    public void Receive(MqttPacket packet) => Assert.Equal(0, Receive(MqttBytes.Of(packet)));

    /// <summary>Moves the time and lets limits take effect.</summary>
    public void Wait(TimeSpan time)
    {
        Now += time;
        session.Advance(Now);
    }

    /// <summary>All waiting output, as if it was written at once.</summary>
    public byte[] SentBytes(int bytesMax = 64 * 1024)
    {
        var all = new ArrayBufferWriter<byte>();
        for (var at = 0; session.TakeOutput(all, bytesMax, Now) is > 0 and var taken; at += taken)
        {
            Assert.Equal(at + taken, all.WrittenCount);
            session.Written();
        }

        return all.WrittenSpan.ToArray();
    }

    /// <summary>All waiting output, packet by packet.</summary>
    public List<MqttPacket> Sent() => MqttBytes.Read(SentBytes());

    /// <summary>The only packet that waits to be sent.</summary>
    public T SentOne<T>() where T : MqttPacket => Assert.IsType<T>(Assert.Single(Sent()));

    public T Next<T>() where T : SessionEvent => Assert.IsType<T>(session.Events.Dequeue());

    public static MqttPublishPacket Message(
        ushort id, string topic = "own/x", byte qos = 1, bool retain = false) => new()
        {
            Topic = topic,
            Payload = new ReadOnlySequence<byte>([1, 2]),
            QualityOfServiceLevel = (MqttQualityOfServiceLevel)qos,
            PacketIdentifier = id,
            Retain = retain,
        };

    public static MqttSubscribePacket Subscribing(byte qos, params string[] filters) => new()
    {
        PacketIdentifier = 9,
        TopicFilters = [.. filters.Select(filter =>
            new MqttTopicFilter { Topic = filter, QualityOfServiceLevel = (MqttQualityOfServiceLevel)qos })],
    };
}
