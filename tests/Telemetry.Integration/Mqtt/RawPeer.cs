using System.Buffers;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Telemetry.Mqtt;
using Telemetry.Mqtt.Packets;

namespace Telemetry.Integration.Mqtt;

/// <summary>A socket that says to a listener whatever a test wants, also what no client would.</summary>
internal sealed class RawPeer : IDisposable
{
    private static readonly TimeSpan PatienceMax = TimeSpan.FromSeconds(15);

    private readonly Socket _socket = new(SocketType.Stream, ProtocolType.Tcp);

    public static async Task<RawPeer> OpenAsync(int port)
    {
        var peer = new RawPeer();
        await peer._socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, port));
        return peer;
    }

    public static async Task<RawPeer> ConnectAsync(int port, string clientId, ushort keepAliveSeconds = 60)
    {
        var peer = await OpenAsync(port);
        await peer.SendAsync(new ConnectPacket
        {
            ClientId = clientId,
            KeepAliveSeconds = keepAliveSeconds,
            Password = Encoding.UTF8.GetBytes(RecordingApplication.Password),
        }.Write);
        byte[] answer = new byte[2];
        await peer.ReadExactlyAsync(answer);
        byte[] rest = new byte[answer[1]];
        await peer.ReadExactlyAsync(rest);
        Assert.Equal((0x20, 0), (answer[0], rest[1]));
        return peer;
    }

    public async Task SendAsync(byte[] bytes) => await _socket.SendAsync(bytes);

    public Task SendAsync(Action<IBufferWriter<byte>> write)
    {
        var output = new ArrayBufferWriter<byte>();
        write(output);
        return SendAsync(output.WrittenSpan.ToArray());
    }

    /// <summary>Everything that comes until the listener closes, as packets of (type, body).</summary>
    public async Task<List<(PacketType Type, byte[] Body)>> ReadToEndAsync()
    {
        using var patience = new CancellationTokenSource(PatienceMax);
        var all = new MemoryStream();
        byte[] buffer = new byte[4096];
        while (await _socket.ReceiveAsync(buffer, patience.Token) is > 0 and var read) all.Write(buffer, 0, read);
        var packets = new List<(PacketType, byte[])>();
        var sequence = new ReadOnlySequence<byte>(all.ToArray());
        while (PacketScanner.TryRead(ref sequence, int.MaxValue, out var raw))
            packets.Add((raw.Type, raw.Body.ToArray()));
        Assert.True(sequence.IsEmpty);
        return packets;
    }

    /// <summary>
    /// Reads to the end and gives the reason code of the DISCONNECT, which has to be the last packet.
    /// </summary>
    public async Task<MqttReasonCode> ReadDisconnectAsync()
    {
        var (type, body) = (await ReadToEndAsync())[^1];
        Assert.Equal(PacketType.Disconnect, type);
        return (MqttReasonCode)body[0];
    }

    public void Dispose() => _socket.Dispose();

    private async Task ReadExactlyAsync(byte[] bytes)
    {
        using var patience = new CancellationTokenSource(PatienceMax);
        for (int at = 0; at < bytes.Length;)
        {
            int read = await _socket.ReceiveAsync(bytes.AsMemory(at), patience.Token);
            Assert.NotEqual(0, read);
            at += read;
        }
    }
}
