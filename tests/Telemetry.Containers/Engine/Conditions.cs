using System.Data.Common;
using System.Diagnostics;
using System.Net.Sockets;

namespace Telemetry.Containers.Engine;

/// <summary>Waiting for what comes by itself, however busy the machine is.</summary>
internal static class Conditions
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(250);

    /// <summary>
    /// Looks until it holds. A look that fails as one does at a server that is down says "not yet".
    /// </summary>
    /// <param name="what">What is waited for, for the message of the failure.</param>
    /// <param name="within">When to give up. Much longer than it takes.</param>
    /// <param name="look">The look.</param>
    /// <param name="seen">What the last look saw, for the message of the failure.</param>
    /// <exception cref="TimeoutException">It did not hold in time.</exception>
    public static async Task HoldsAsync(
        string what, TimeSpan within, Func<CancellationToken, Task<bool>> look, Func<string>? seen = null)
    {
        using var patience = new CancellationTokenSource(within);
        var began = Stopwatch.StartNew();
        Exception? failure = null;
        while (!patience.IsCancellationRequested)
        {
            try
            {
                if (await look(patience.Token))
                {
                    return;
                }

                failure = null;
            }
            catch (Exception e) when (e is IOException or SocketException or DbException or HttpRequestException
                or OperationCanceledException or TimeoutException)
            {
                failure = e;
            }

            await Task.Delay(LookEvery);
        }

        throw new TimeoutException(
            $"Not within {began.Elapsed.TotalSeconds:0} s: {what}. {seen?.Invoke()} {failure?.Message}".TrimEnd());
    }
}
