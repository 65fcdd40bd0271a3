using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Telemetry.Mqtt;
using Telemetry.Mqtt.Transport;

namespace Telemetry.Integration.Mqtt;

public sealed partial class SocketUnsentBytesTests
{
    /// <summary>Linux: bytes in the socket that were not sent yet.</summary>
    private const ulong SioCountUnsent = 0x894B;

    [Theory]
    [InlineData(16 * 1024)]
    [InlineData(null)]
    public async Task Unsent_bytes_in_the_socket_stay_bounded_only_when_a_limit_is_set(int? limit)
    {
        using var listening = new Socket(SocketType.Stream, ProtocolType.Tcp);
        listening.Bind(new IPEndPoint(IPAddress.IPv6Loopback, 0));
        listening.Listen();
        var (stream, socket) = await Dialer.DialAsync(new MqttClientOptions
        {
            Host = "::1",
            Port = ((IPEndPoint)listening.LocalEndPoint!).Port,
            ClientId = "a",
            SocketUnsentBytesMax = limit,
        }, CancellationToken.None);
        Assert.True(socket!.NoDelay);
        using var peerWhoDoesNotRead = await listening.AcceptAsync();
        byte[] chunk = new byte[4096];
        using var full = new CancellationTokenSource();
        try
        {
            while (true)
            {
                full.CancelAfter(TimeSpan.FromMilliseconds(500));
                await stream.WriteAsync(chunk, full.Token);
            }
        }
        catch (OperationCanceledException) when (full.IsCancellationRequested)
        {
            Assert.Equal(0, Ioctl(socket.Handle.ToInt32(), SioCountUnsent, out int unsent));
            if (limit is { } bytes) Assert.InRange(unsent, 1, 2 * bytes);
            else Assert.InRange(unsent, 4 * 16 * 1024, int.MaxValue);
        }
        finally
        {
            socket.Dispose();
        }
    }

    [LibraryImport("libc", EntryPoint = "ioctl")]
    private static partial int Ioctl(int descriptor, ulong request, out int value);
}
