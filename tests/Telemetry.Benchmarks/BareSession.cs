using System.Net;
using System.Net.Sockets;
using System.Text;
using Telemetry.TestKit.Mqtt;

namespace Telemetry.Benchmarks;

/// <summary>
/// A gateway's session on a bare socket, which publishes to one topic and knows one answer, the PUBACK. It costs far
/// less than a client does, as the senders run on the machine that is measured. Any thread may publish; what is under
/// way has to fit into the socket's buffers.
/// </summary>
internal sealed class BareSession : IAsyncDisposable
{
    private const byte PublishQos1 = 0x32, PubAck = 0x40;

    private readonly Socket _socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private readonly byte[] _topic;
    private readonly Queue<(ushort Id, TaskCompletionSource<bool> Taken)> _awaited = [];
    private readonly Lock _gate = new();
    private byte[] _packet = new byte[256];
    private ushort _lastId;
    private Task _reading = Task.CompletedTask;

    private BareSession(string topic) => _topic = MqttBytes.Text(topic);

    /// <summary>Connects; throws where the gateway is refused.</summary>
    public static async Task<BareSession> ConnectAsync(int port, string gateway, string password, string topic)
    {
        var session = new BareSession(topic);
        await session._socket.ConnectAsync(IPAddress.Loopback, port);
        var connect = MqttBytes.Connect(gateway);
        (connect.Username, connect.Password) = (gateway, Encoding.UTF8.GetBytes(password));
        await session._socket.SendAsync(MqttBytes.Of(connect));
        var answer = new byte[512];
        var bytes = await session._socket.ReceiveAsync(answer);
        if (bytes < 4 || answer[3] != 0)
        {
            throw new InvalidOperationException($"{gateway} was refused");
        }

        session._reading = session.ReadAsync();
        return session;
    }

    /// <summary>True when the PUBACK is a success.</summary>
    public Task<bool> PublishAsync(ReadOnlySpan<byte> payload)
    {
        var taken = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
        {
            _lastId = _lastId == ushort.MaxValue ? (ushort)1 : (ushort)(_lastId + 1);
            _awaited.Enqueue((_lastId, taken));
            var bytes = Write(payload);
            _socket.Send(_packet.AsSpan(0, bytes));
        }

        return taken.Task;
    }

    public async ValueTask DisposeAsync()
    {
        _socket.Dispose();
        await _reading;
    }

    private int Write(ReadOnlySpan<byte> payload)
    {
        var body = _topic.Length + 3 + payload.Length;
        if (_packet.Length < body + 5)
        {
            _packet = new byte[2 * body + 5];
        }

        var at = 0;
        _packet[at++] = PublishQos1;
        for (var left = body; ; left >>= 7)
        {
            _packet[at++] = (byte)(left < 0x80 ? left : left | 0x80);
            if (left < 0x80)
            {
                break;
            }
        }

        _topic.CopyTo(_packet, at);
        at += _topic.Length;
        _packet[at++] = (byte)(_lastId >> 8);
        _packet[at++] = (byte)_lastId;
        _packet[at++] = 0;
        payload.CopyTo(_packet.AsSpan(at));
        return at + payload.Length;
    }

    private async Task ReadAsync()
    {
        var buffer = new byte[4096];
        var (start, end) = (0, 0);
        try
        {
            while (await _socket.ReceiveAsync(buffer.AsMemory(end)) is > 0 and var bytes)
            {
                end += bytes;
                for (; end - start >= 2 && end - start >= 2 + buffer[start + 1]; start += 2 + buffer[start + 1])
                {
                    Acknowledged(buffer.AsSpan(start, 2 + buffer[start + 1]));
                }

                buffer.AsSpan(start, end - start).CopyTo(buffer);
                (start, end) = (0, end - start);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The benchmark is over.
        }

        lock (_gate)
        {
            foreach (var (_, taken) in _awaited)
            {
                taken.TrySetResult(false);
            }
        }
    }

    private void Acknowledged(ReadOnlySpan<byte> packet)
    {
        lock (_gate)
        {
            var (id, taken) = _awaited.Dequeue();
            taken.SetResult(
                packet[0] == PubAck && (packet[2] << 8 | packet[3]) == id && (packet.Length == 4 || packet[4] < 0x80));
        }
    }
}
