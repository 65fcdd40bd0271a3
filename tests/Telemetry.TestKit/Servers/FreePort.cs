using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Telemetry.TestKit.Servers;

/// <summary>
/// Ports of 127.0.0.1 that nobody listens on, none handed out twice in a process. Taken from below the range
/// from which the kernel serves outgoing connections: a port of that range can be lost to any client while its
/// server is down, and a client that keeps calling a dead port there can even connect to itself.
/// </summary>
public static class FreePort
{
    private const int LowestPort = 15_000;
    private const int AttemptsMax = 200;
    private static readonly HashSet<int> Taken = [];

    /// <summary>A port that was free a moment ago.</summary>
    public static int Next()
    {
        var outgoingFrom = FirstOutgoingPort();
        lock (Taken)
        {
            for (var attempt = 0; attempt < AttemptsMax; attempt++)
            {
                // 0 lets the kernel choose: all that is left where outgoing connections use the low ports too.
                var wanted = outgoingFrom > LowestPort + 1000 ? Random.Shared.Next(LowestPort, outgoingFrom) : 0;
                if (TryBind(wanted) is { } port && Taken.Add(port))
                {
                    return port;
                }
            }
        }

        throw new InvalidOperationException($"No free port on 127.0.0.1 in {AttemptsMax} attempts.");
    }

    private static int? TryBind(int port)
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            listener.Bind(new IPEndPoint(IPAddress.Loopback, port));
            listener.Listen();
            return ((IPEndPoint)listener.LocalEndPoint!).Port;
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            return null;
        }
    }

    private static int FirstOutgoingPort()
    {
        const string range = "/proc/sys/net/ipv4/ip_local_port_range";
        return File.Exists(range)
            ? int.Parse(File.ReadAllText(range).Split('\t', ' ')[0], CultureInfo.InvariantCulture)
            : 32_768;
    }
}
