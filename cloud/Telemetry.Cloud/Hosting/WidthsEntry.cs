using Telemetry.Cloud.Health;
using Telemetry.Diagnostics.Failures;
using Telemetry.Storage;
using Telemetry.Storage.Postgres;
using Telemetry.Storage.Windows;

namespace Telemetry.Cloud.Hosting;

/// <summary>
/// Compares the windows file with the database at the start of a processor, and adds its new entries. It waits while
/// the database cannot be reached.
/// </summary>
internal static class WidthsEntry
{
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);

    /// <summary>Throws <see cref="StartException"/> when the file does not agree with the database.</summary>
    public static async Task EnterAsync(RoleContext context, PostgresStore store, CancellationToken cancellationToken)
    {
        if (context.Settings.Widths is not { } file)
        {
            return;
        }

        var trouble = new ReportedFailure(
            "Comparing the windows file with the database fails",
            "Comparing the windows file with the database works again", context.Time, context.ProcessLog,
            context.Database);
        context.Health.Add("windows", () => trouble.Problem);
        while (true)
        {
            try
            {
                var added = await store.AddWidthsAsync(file, context.Settings.Processor.Owner, cancellationToken);
                trouble.Worked();
                OperationsLog.WidthsCompared(context.ProcessLog, file.File, file.Entries.Count, added);
                return;
            }
            catch (WindowWidthException e)
            {
                throw new StartException($"processor.windows.file: {e.Message}", e);
            }
            catch (StoreException e)
            {
                trouble.Failed(e.Message);
                await Task.Delay(RetryAfter, context.Time, cancellationToken);
            }
        }
    }
}
