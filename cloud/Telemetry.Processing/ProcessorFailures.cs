using Microsoft.Extensions.Logging;
using Telemetry.Diagnostics.Failures;
using Telemetry.Storage;

namespace Telemetry.Processing;

/// <summary>
/// The failures of one worker. Each is logged once when it begins and once when it ends. A failure that concerns the
/// whole process (database or log out of reach) is logged by the process; the worker logs nothing meanwhile.
/// </summary>
internal sealed class ProcessorFailures(
    int worker, TimeProvider time, ILogger logger, ReportedFailure? database = null, ReportedFailure? log = null)
{
    /// <summary>Transactions fail.</summary>
    public ReportedFailure Storing { get; } = new(
        $"Worker {worker} cannot store", $"Worker {worker} stores again", time, logger, database);

    /// <summary>The leases cannot be looked at or taken.</summary>
    public ReportedFailure Leases { get; } = new(
        $"Worker {worker} cannot ask for leases", $"Worker {worker} asks for leases again", time, logger, database);

    /// <summary>
    /// The database refuses rows because of their data. They become dead letters, and the other rows are stored.
    /// </summary>
    public ReportedFailure Data { get; } = new(
        $"Worker {worker} found data that the database refuses; it is looked for, kept as dead letters",
        $"Worker {worker} stores without refusals again", time, logger);

    /// <summary>Streams cannot be read, or messages cannot be sent down.</summary>
    public ReportedFailure Reading { get; } = new(
        $"Worker {worker} cannot use the log", $"Worker {worker} uses the log again", time, logger, log);

    /// <summary>Records a database error under the failure that it belongs to.</summary>
    public void Failed(ReportedFailure failure, StoreException error)
    {
        if (error.IsUnreachable && database is not null)
        {
            database.Failed(error.Message);
        }
        else
        {
            failure.Failed(error.Message);
        }
    }
}
