using System.Net;
using System.Net.Sockets;

namespace Telemetry.Cloud.Health;

/// <summary>Says in one sentence, by the configuration's key, why an address cannot be listened on.</summary>
internal static class ListenFault
{
    /// <summary>Tries the address as the process will, and lets it go; throws <see cref="StartException"/>.</summary>
    public static void Try(string section, IPEndPoint endPoint)
    {
        try
        {
            using var socket = new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            socket.Bind(endPoint);
            socket.Listen();
        }
        catch (SocketException e)
        {
            throw Of(section, endPoint, e);
        }
    }

    /// <summary>True when the error, or the one behind it, says why <paramref name="endPoint"/> was refused.</summary>
    public static bool TryFind(string section, IPEndPoint endPoint, Exception error, out StartException found)
    {
        for (var e = error; e is not null; e = e.InnerException)
        {
            if (e is SocketException socket)
            {
                found = Of(section, endPoint, socket);
                return true;
            }
        }

        found = null!;
        return false;
    }

    private static StartException Of(string section, IPEndPoint endPoint, SocketException e) =>
        new(
            e.SocketErrorCode switch
            {
                SocketError.AddressAlreadyInUse =>
                    $"{section}.port: {endPoint.Port} on {endPoint.Address} is in use by another program, or by this "
                    + "one in another process",
                SocketError.AddressNotAvailable =>
                    $"{section}.address: {endPoint.Address} is not an address of this machine",
                SocketError.AccessDenied =>
                    $"{section}.port: {endPoint.Port} on {endPoint.Address} is not allowed to this user; ports from "
                    + "1024 on are allowed to all",
                _ => $"{section}.port: {endPoint.Port} on {endPoint.Address} cannot be listened on: {e.Message}",
            },
            e);
}
