using Npgsql;
using Telemetry.Storage.Postgres.Statements;

namespace Telemetry.SystemTests.Windows;

/// <summary>
/// Reads the windows again and again while the cluster works, as a dashboard does. Each look is one statement, so one
/// snapshot: no window that is complete in it may differ from the readings in it. A look at a database that is down
/// counts as none.
/// </summary>
public sealed class WindowReader : IAsyncDisposable
{
    private readonly string _connectionString;
    private readonly TimeSpan _pause;
    private readonly CancellationTokenSource _stop = new();
    private readonly List<string> _faults = [];
    private readonly Task _running;

    /// <summary>Begins to look, with a pause of three seconds between two looks unless another one is given.</summary>
    public WindowReader(string connectionString, TimeSpan? pause = null)
    {
        (_connectionString, _pause) = (connectionString, pause ?? TimeSpan.FromSeconds(3));
        _running = Task.Run(RunAsync);
    }

    /// <summary>How often it looked.</summary>
    public int Looks { get; private set; }

    /// <summary>Ends it; returns the complete windows that differed from their readings.</summary>
    public async Task<IReadOnlyList<string>> EndAsync()
    {
        await _stop.CancelAsync();
        await _running;
        return _faults;
    }

    public async ValueTask DisposeAsync()
    {
        await EndAsync();
        _stop.Dispose();
    }

    private async Task RunAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                await using var connection = new NpgsqlConnection(_connectionString);
                await connection.OpenAsync(_stop.Token);
                _faults.AddRange(await WindowVerdict.DifferencesAsync(connection, "20 minutes", _stop.Token));
                Looks++;
                await Task.Delay(_pause, _stop.Token);
            }
            catch (Exception e) when (e is OperationCanceledException
                || (StoreErrors.IsDatabases(e) && StoreErrors.IsUnreachable(e)))
            {
                // The database was stopped, or this reader is.
                await Task.WhenAny(Task.Delay(_pause), Task.Delay(Timeout.Infinite, _stop.Token));
            }
        }
    }
}
