using Microsoft.AspNetCore.Connections;

namespace Telemetry.Inputs.Http;

/// <summary>
/// Lets so many connections in at once; one more gets a 503 where it speaks plain HTTP, and is closed.
/// </summary>
internal sealed class ConnectionLimit(int connectionsMax, bool isPlain, HttpCounters counters)
{
    private static readonly byte[] Refusal =
    [
        .. "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\n"u8,
        .. "Content-Length: 0\r\nConnection: close\r\n\r\n"u8,
    ];

    private int _connections;

    /// <summary>How many there are now.</summary>
    public int Connections => Volatile.Read(ref _connections);

    public ConnectionDelegate Around(ConnectionDelegate next) => async connection =>
    {
        try
        {
            if (Interlocked.Increment(ref _connections) <= connectionsMax)
            {
                await next(connection);
            }
            else
            {
                await RefuseAsync(connection);
            }
        }
        finally
        {
            Interlocked.Decrement(ref _connections);
        }
    };

    private async Task RefuseAsync(ConnectionContext connection)
    {
        counters.ConnectionRefused();
        if (isPlain)
        {
            await connection.Transport.Output.WriteAsync(Refusal, connection.ConnectionClosed);
        }
    }
}
