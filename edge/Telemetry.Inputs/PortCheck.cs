using System.Net;
using System.Net.Sockets;

namespace Telemetry.Inputs;

/// <summary>Says whether a port can be listened on: listens for a moment, and closes it again.</summary>
public static class PortCheck
{
    /// <summary>
    /// Why nobody can listen there, beginning with the key; null when somebody can. Port 0, which is none, is always
    /// free.
    /// </summary>
    public static string? Problem(string key, IPAddress address, int port)
    {
        if (port == 0)
        {
            return null;
        }

        using var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(new IPEndPoint(address, port));
            socket.Listen();
            return null;
        }
        catch (SocketException e)
        {
            return $"{key}: {new IPEndPoint(address, port)} {Words(e)}";
        }
    }

    private static string Words(SocketException e) => e.SocketErrorCode switch
    {
        SocketError.AddressAlreadyInUse => "is in use by another program",
        SocketError.AccessDenied => "may not be used by this user",
        SocketError.AddressNotAvailable => "is not an address of this machine; use one of its own, or 0.0.0.0 for all",
        _ => $"cannot be listened on: {e.Message}",
    };
}
