using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Telemetry.Edge.Uplink.Mqtt;

namespace Telemetry.Integration.Edge.MqttUplink;

public sealed partial class UplinkUnsentBytesTests
{
    /// <summary>Linux: bytes in the socket that were not sent yet.</summary>
    private const ulong SioCountUnsent = 0x894B;

    [Theory]
    [InlineData(16 * 1024, 1, 32 * 1024)]
    [InlineData(16 * 1024 * 1024, 4 * 16 * 1024, int.MaxValue)]
    public async Task Unsent_bytes_in_the_socket_stay_within_the_option(int limit, int least, int most)
    {
        using var listening = new Socket(SocketType.Stream, ProtocolType.Tcp);
        listening.Bind(new IPEndPoint(IPAddress.IPv6Loopback, 0));
        listening.Listen();
        var dialer = new MqttDialer(
            new MqttUplinkOptions
            {
                Host = "::1",
                Port = ((IPEndPoint)listening.LocalEndPoint!).Port,
                UnsentBytesMax = limit,
            },
            null,
            1024,
            TimeProvider.System);
        await using var stream = await dialer.OpenAsync(CancellationToken.None);
        using var peerWhoDoesNotRead = await listening.AcceptAsync();
        var writing = WriteAsync(stream);
        for (var (before, now) = (-1L, 0L); before != now; before = now, now = stream.Activity.Written.Ticks)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(500));
        }

        Assert.True(stream.Socket.NoDelay);
        Assert.Equal(0, Ioctl(stream.Socket.Handle.ToInt32(), SioCountUnsent, out var unsent));
        Assert.InRange(unsent, least, most);
        Assert.False(writing.IsCompleted);
        await stream.CloseAsync();
        await Assert.ThrowsAnyAsync<Exception>(() => writing);
    }

    private static async Task WriteAsync(MqttStream stream)
    {
        while (true)
        {
            await stream.WriteAsync(new byte[4096]);
        }
    }

    [LibraryImport("libc", EntryPoint = "ioctl")]
    private static partial int Ioctl(int descriptor, ulong request, out int value);
}
