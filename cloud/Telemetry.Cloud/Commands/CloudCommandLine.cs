using Telemetry.Cloud.Commands.Certificates;
using Telemetry.Cloud.Commands.DeadLetters;
using Telemetry.Cloud.Commands.Devices;
using Telemetry.Cloud.Commands.Forks;
using Telemetry.Cloud.Commands.Repartition;
using Telemetry.Cloud.Commands.Users;
using Telemetry.Cloud.Commands.Webhooks;
using Telemetry.Cloud.Commands.Windows;
using Telemetry.Runtime.Commands;

namespace Telemetry.Cloud.Commands;

/// <summary>
/// The command line of Telemetry.Cloud: one class a verb, and what all verbs have in common. The exit code is 0 when it
/// was done, 1 when something that it needs is not as it should be, 2 for a wrong command line or configuration.
/// </summary>
internal sealed class CloudCommandLine
{
    private const string Description = """
        A process of the cloud, and the commands for its operators.
        TELEMETRY__SECTION__KEY in the environment overrides section.key of the configuration.
        Without a command it is run. Exit code: 0 done; 1 something that it needs is not as it should be; 2 wrong
        command line or configuration.
        """;

    private readonly CommandStreams _streams;
    private readonly ProgramCommandLine _line;

    public CloudCommandLine(ProgramName name, CommandStreams streams, TimeProvider time, Random random)
    {
        _streams = streams;
        var (output, errors) = (streams.Output, streams.Errors);
        var configured = new ConfiguredAction(errors);
        _line = new ProgramCommandLine(
            name, Description,
            [
                configured.Add(RunVerb.Create((result, _) => configured.RunAsync(
                    result, (settings, stop) => new RunCommand(settings, time, random).RunAsync(stop)))),
                configured.Add(CheckVerb.Create((result, _) => configured.RunAsync(
                    result,
                    async (settings, stop) => await new CheckCommand(settings, time, output).RunAsync(stop) ? 0 : 1))),
                RulesVerb.Create(output, errors),
                configured.Add(WindowsVerb.Create((arguments, result, _) =>
                {
                    var command = new WindowsCommand(output, errors);
                    return arguments.NeedsConfiguration
                        ? configured.RunAsync(result, (settings, stop) => command.RunAsync(arguments, settings, stop))
                        : Task.FromResult(command.Check(arguments.File!));
                })),
                PasswordVerb.Create(streams),
                CertificatesVerb.Create(
                    (arguments, _, _) => Task.FromResult(new CertificatesCommand(time, output, errors).Run(arguments))),
                configured.Add(DeadLettersVerb.Create(time, (arguments, result, _) => configured.RunAsync(
                    result,
                    (settings, stop) => new DeadLettersCommand(settings, output, errors).RunAsync(arguments, stop)))),
                configured.Add(WebhooksVerb.Create((arguments, result, _) => configured.RunAsync(
                    result,
                    (settings, stop) => new WebhooksCommand(settings, output, errors).RunAsync(arguments, stop)))),
                configured.Add(ForksVerb.Create((arguments, result, _) => configured.RunAsync(
                    result, (settings, stop) => new ForksCommand(settings, output, errors).RunAsync(arguments, stop)))),
                configured.Add(DevicesVerb.Create((arguments, result, _) => configured.RunAsync(
                    result,
                    (settings, stop) => new DevicesCommand(settings, output, errors).RunAsync(arguments, stop)))),
                configured.Add(UserVerb.Create((arguments, result, _) => configured.RunAsync(
                    result, (settings, stop) => new UserCommand(settings, streams).RunAsync(arguments, stop)))),
                configured.Add(RepartitionVerb.Create((partitions, result, _) => configured.RunAsync(
                    result,
                    (settings, stop) => RepartitionVerb.RunAsync(partitions, settings, time, random, streams, stop)))),
            ]);
    }

    /// <summary>Gives the exit code of the process; the verb is <c>run</c> where none is named.</summary>
    public Task<int> RunAsync(IReadOnlyList<string> words) => _line.RunAsync(
        words is [] || words[0].StartsWith(ConfiguredAction.OptionName, StringComparison.Ordinal)
            ? ["run", .. words]
            : words,
        _streams.Output, _streams.Errors);
}
