using System.Buffers;
using Telemetry.Mqtt;
using Telemetry.Mqtt.Packets;
using Telemetry.Mqtt.Sessions;

namespace Telemetry.Tests.Mqtt;

/// <summary>Feeds a session with packets and shows what it answers; the time is a field of the test's own.</summary>
internal sealed class SessionProbe(MqttSession session)
{
    public TimeSpan Now { get; set; }

    /// <summary>Gives the session bytes and returns how many of them it left.</summary>
    public long Receive(byte[] bytes)
    {
        var sequence = new ReadOnlySequence<byte>(bytes);
        session.Receive(ref sequence, Now);
        return sequence.Length;
    }

    public void Receive(Action<IBufferWriter<byte>> write)
    {
        var output = new ArrayBufferWriter<byte>();
        write(output);
        Assert.Equal(0, Receive(output.WrittenSpan.ToArray()));
    }

    /// <summary>Moves the time and lets limits take effect.</summary>
    public void Wait(TimeSpan time)
    {
        Now += time;
        session.Advance(Now);
    }

    /// <summary>All waiting output, packet by packet, as if it was written at once.</summary>
    public List<RawPacket> Sent(int bytesMax = 64 * 1024)
    {
        var packets = new List<RawPacket>();
        while (true)
        {
            var output = new ArrayBufferWriter<byte>();
            session.TakeOutput(output, bytesMax, Now);
            if (output.WrittenCount == 0) return packets;
            session.Written(Now);
            var sequence = new ReadOnlySequence<byte>(output.WrittenSpan.ToArray());
            while (PacketScanner.TryRead(ref sequence, int.MaxValue, out var packet)) packets.Add(packet);
            Assert.True(sequence.IsEmpty);
        }
    }

    public T Next<T>() where T : SessionEvent => Assert.IsType<T>(session.Events.Dequeue());

    public static PublishAckPacket Ack(RawPacket packet)
    {
        Assert.Equal(PacketType.PubAck, packet.Type);
        var reader = new BodyReader(packet.Body.ToArray());
        return PublishAckPacket.Read(packet.Type, ref reader);
    }

    public static DisconnectPacket Disconnect(RawPacket packet)
    {
        Assert.Equal(PacketType.Disconnect, packet.Type);
        var reader = new BodyReader(packet.Body.ToArray());
        return DisconnectPacket.Read(packet.Type, ref reader);
    }

    public static ConnAckPacket ConnAck(RawPacket packet)
    {
        Assert.Equal(PacketType.ConnAck, packet.Type);
        var reader = new BodyReader(packet.Body.ToArray());
        return ConnAckPacket.Read(ref reader);
    }

    public static PublishPacket Publish(RawPacket packet)
    {
        Assert.Equal(PacketType.Publish, packet.Type);
        return PublishPacket.Read(packet.Flags, packet.Body.ToArray());
    }

    public static Action<IBufferWriter<byte>> Message(ushort id, string topic = "own/x",
        PropertyList? properties = null,
        byte qos = 1, bool retain = false) =>
        output => new PublishPacket(topic, new byte[] { 1, 2 }, (MqttQos)qos, id, properties ?? PropertyList.Empty,
            Retain: retain)
            .Write(output);
}
