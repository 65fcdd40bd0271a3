using System.Buffers;
using MQTTnet.Packets;
using MQTTnet.Protocol;
using Telemetry.MqttSessions.Packets;

namespace Telemetry.MqttSessions.Sessions;

/// <summary>Answers that are not written yet, as bytes, in order. It keeps to what the client takes.</summary>
internal sealed class SessionAnswers
{
    private readonly ArrayBufferWriter<byte> _bytes = new(256);

    /// <summary>The client's Maximum Packet Size, bytes.</summary>
    public long PacketBytesMax { get; set; } = PacketScanner.PacketBytesLargest;

    /// <summary>False when the client asked for no reason strings and user properties on PUBACKs.</summary>
    public bool Explains { get; set; } = true;

    /// <summary>Bytes that wait.</summary>
    public int Bytes => _bytes.WrittenCount;

    public void Add(MqttPacket packet) => PacketCodec.Write(packet, _bytes);

    public void Add(ReadOnlySpan<byte> packet) => _bytes.Write(packet);

    /// <summary>A successful CONNACK; one that ends with its connection says so.</summary>
    public void AddConnAck(MqttConnAckPacket packet, bool endsWithConnection)
    {
        if (endsWithConnection) ConnectAnswer.WriteWithoutExpiry(packet, _bytes);
        else Add(packet);
    }

    /// <summary>The PUBACK of a finished message; bare where it would be larger than the client takes.</summary>
    public void AddPubAck(IncomingPublish finished)
    {
        var verdict = finished.Verdict!;
        var ack = new MqttPubAckPacket
        {
            PacketIdentifier = finished.PacketId,
            ReasonCode = (MqttPubAckReasonCode)verdict.ReasonCode,
        };
        if (Explains)
        {
            ack.ReasonString = verdict.ReasonString;
            ack.UserProperties = PacketCodec.ToCodec(verdict.UserProperties);
            if (PacketCodec.TryWrite(ack, _bytes, PacketBytesMax, out _)) return;
            ack.ReasonString = null;
            ack.UserProperties = null;
        }
        Add(ack);
    }

    /// <summary>A failure is explained, where the client takes a packet of that size.</summary>
    public void AddDisconnect(MqttCloseReason reason)
    {
        var packet = new MqttDisconnectPacket { ReasonCode = (MqttDisconnectReasonCode)reason.ReasonCode };
        if (reason.ReasonCode >= MqttReasonCode.UnspecifiedError)
        {
            packet.ReasonString = reason.Text;
            if (PacketCodec.TryWrite(packet, _bytes, PacketBytesMax, out _)) return;
            packet.ReasonString = null;
        }
        Add(packet);
    }

    /// <summary>Moves all bytes into the output and returns how many they were.</summary>
    public int MoveTo(IBufferWriter<byte> output)
    {
        int bytes = Bytes;
        if (bytes == 0) return 0;
        output.Write(_bytes.WrittenSpan);
        _bytes.ResetWrittenCount();
        return bytes;
    }
}
