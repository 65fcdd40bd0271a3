using System.Net;
using System.Net.Sockets;
using System.Text;
using MQTTnet.Packets;
using Telemetry.MqttSessions;
using Telemetry.TestKit.Mqtt;

namespace Telemetry.Integration.MqttSessions;

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
        await peer.SendAsync(MqttBytes.Of(Connect(clientId, keepAliveSeconds)));
        byte[] answer = new byte[2];
        await peer.ReadExactlyAsync(answer);
        byte[] rest = new byte[answer[1]];
        await peer.ReadExactlyAsync(rest);
        Assert.Equal((0x20, 0, 0), (answer[0], rest[0], rest[1]));
        return peer;
    }

    /// <summary>A CONNECT that is let in.</summary>
    public static MqttConnectPacket Connect(string clientId, ushort keepAliveSeconds = 60)
    {
        var connect = MqttBytes.Connect(clientId, keepAliveSeconds);
        (connect.Username, connect.Password) = (clientId, Encoding.UTF8.GetBytes(RecordingApplication.Password));
        return connect;
    }

    public async Task SendAsync(params byte[] bytes) => await _socket.SendAsync(bytes);

    /// <summary>Everything that comes until the listener closes.</summary>
    public async Task<List<MqttPacket>> ReadToEndAsync() => MqttBytes.Read(await ReadBytesToEndAsync());

    /// <summary>Every byte that comes until the listener closes.</summary>
    public async Task<byte[]> ReadBytesToEndAsync()
    {
        using var patience = new CancellationTokenSource(PatienceMax);
        var all = new MemoryStream();
        byte[] buffer = new byte[4096];
        while (await _socket.ReceiveAsync(buffer, patience.Token) is > 0 and var read) all.Write(buffer, 0, read);
        return all.ToArray();
    }

    /// <summary>
    /// Reads to the end and gives the reason code of the DISCONNECT, which has to be the last packet.
    /// </summary>
    public async Task<MqttReasonCode> ReadDisconnectAsync() =>
        (MqttReasonCode)Assert.IsType<MqttDisconnectPacket>((await ReadToEndAsync())[^1]).ReasonCode;

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
