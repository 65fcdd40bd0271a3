namespace Telemetry.TestKit.Servers;

/// <summary>A server whose start fails must not be left half started.</summary>
internal static class StartedServer
{
    public static async Task<T> OrDisposed<T>(T server, Func<Task> start)
        where T : IAsyncDisposable
    {
        try
        {
            await start();
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }
}
