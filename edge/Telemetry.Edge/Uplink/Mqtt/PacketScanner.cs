namespace Telemetry.Edge.Uplink.Mqtt;

/// <summary>
/// Follows the packets in one direction of a connection by their fixed headers, however the bytes are divided, and
/// counts the PUBLISH packets.
/// </summary>
/// <param name="packetBytesMax">The largest packet that is allowed, in bytes with its header.</param>
/// <remarks>
/// <code>
///   type (4 bits), flags (4 bits) │ remaining length: 1 to 4 bytes of 7 bits, least first │ remaining bytes
/// </code>
/// Source: MQTT 5.0, 2.1.
/// </remarks>
internal sealed class PacketScanner(int packetBytesMax)
{
    private const int Publish = 3;
    private const int LengthBytesMax = 4;

    private int _type;
    private int _lengthBytes = -1;
    private long _left;

    /// <summary>PUBLISH packets that have passed completely.</summary>
    public long Publishes { get; private set; }

    /// <summary>Takes the next bytes of this direction.</summary>
    /// <exception cref="IOException">A packet is too large, or its length is malformed.</exception>
    public void Take(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            bytes = bytes[TakePart(bytes)..];
        }
    }

    private int TakePart(ReadOnlySpan<byte> bytes)
    {
        if (_lengthBytes == -1)
        {
            (_type, _lengthBytes, _left) = (bytes[0] >> 4, 0, 0);
            return 1;
        }

        if (_lengthBytes <= LengthBytesMax)
        {
            TakeLength(bytes[0]);
            return 1;
        }

        var passed = (int)Math.Min(_left, bytes.Length);
        Pass(passed);
        return passed;
    }

    private void TakeLength(byte next)
    {
        _left |= (long)(next & 0x7f) << (7 * _lengthBytes++);
        if ((next & 0x80) != 0)
        {
            if (_lengthBytes == LengthBytesMax)
            {
                throw new IOException("a packet's length is malformed");
            }

            return;
        }

        var packetBytes = 1 + _lengthBytes + _left;
        if (packetBytes > packetBytesMax)
        {
            throw new IOException($"a packet of {packetBytes} bytes is larger than the {packetBytesMax} allowed");
        }

        _lengthBytes = LengthBytesMax + 1;
        Pass(0);
    }

    private void Pass(int bytes)
    {
        _left -= bytes;
        if (_left == 0)
        {
            Publishes += _type == Publish ? 1 : 0;
            _lengthBytes = -1;
        }
    }
}
