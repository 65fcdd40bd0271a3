using System.Globalization;
using Telemetry.Cloud.Configuration;
using Telemetry.Storage.Postgres.Maintenance;

namespace Telemetry.Cloud.Commands.Forks;

/// <summary>
/// The command <c>forks</c>: lists the forks that are shown, and ends them by an operator's word, beside a cloud at
/// work. The exit code is 0 when all went well, 1 when there was nothing to resolve or the database failed.
/// </summary>
internal sealed class ForksCommand(CloudSettings settings, TextWriter output, TextWriter errors)
{
    public Task<int> RunAsync(ForkArguments arguments, CancellationToken cancellationToken) => OperatorCommand.RunAsync(
        settings, errors, "nothing was changed",
        database => arguments.Gateway is null
            ? ListAsync(database.Forks, cancellationToken)
            : ResolveAsync(database.Forks, arguments.Gateway, arguments, cancellationToken),
        cancellationToken);

    private async Task<int> ListAsync(ForkResolution forks, CancellationToken cancellationToken)
    {
        foreach (var fork in await forks.ListAsync(cancellationToken))
        {
            foreach (var line in fork.What.Split('\n'))
            {
                await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{fork.Gateway,-16}  {line}"));
            }
        }

        return 0;
    }

    private async Task<int> ResolveAsync(
        ForkResolution forks, string gateway, ForkArguments arguments, CancellationToken cancellationToken)
    {
        var was = await forks.ResolveAsync(
            gateway, arguments.Reason, arguments.Note, Environment.UserName, cancellationToken);
        if (was is null)
        {
            await errors.WriteLineAsync($"gateway {gateway} shows no fork");
            return OperatorCommand.GoneWrong;
        }

        await output.WriteLineAsync($"{gateway}: resolved as {arguments.Reason}: {was.Replace('\n', ' ')}");
        return 0;
    }
}
