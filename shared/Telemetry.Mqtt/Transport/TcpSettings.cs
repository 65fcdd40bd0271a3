using System.Net.Sockets;

namespace Telemetry.Mqtt.Transport;

/// <summary>Options of a TCP socket.</summary>
internal static class TcpSettings
{
    private const int IpProtoTcp = 6;
    private const int TcpNotSentLowWaterMark = 25;

    public static void Apply(Socket socket, int? unsentBytesMax)
    {
        socket.NoDelay = true;
        if (unsentBytesMax is { } bytes && OperatingSystem.IsLinux())
            socket.SetRawSocketOption(IpProtoTcp, TcpNotSentLowWaterMark, BitConverter.GetBytes(bytes));
    }
}
