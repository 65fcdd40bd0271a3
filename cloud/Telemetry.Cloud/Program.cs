using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using Telemetry.Cloud.Commands;
using Telemetry.Cloud.Commands.DeadLetters;
using Telemetry.Cloud.Commands.Forks;
using Telemetry.Cloud.Commands.Repartition;
using Telemetry.Cloud.Configuration;
using Telemetry.Cloud.Hosting;
using Telemetry.Ingress.Access;
using Telemetry.Model.Identity;
using Telemetry.Model.Installations;
using Telemetry.Runtime;
using Telemetry.Storage;

const string Usage = """
    usage: Telemetry.Cloud run   [--config FILE]   runs the roles of the configuration until SIGTERM
           Telemetry.Cloud check [--config FILE]   says whether configuration, NATS and database are well
           Telemetry.Cloud rules check FILE        says what is wrong with a file of alert rules
           Telemetry.Cloud password GATEWAY        reads a password, prints its line for the gateways file
           Telemetry.Cloud --help | --version
           Telemetry.Cloud dead-letters [--config FILE] list|show|retry|discard ...   what was rejected, and why
               list  [--gateway G] [--reason R] [--since T] [--limit N] [--retried]
               show  ID
               retry ID... | --gateway G | --reason R [--since T] [--limit N]     stores what can be stored now
               discard ID... | --gateway G | --reason R [--since T] [--limit N] --note TEXT   removes them for good
           Telemetry.Cloud forks [--config FILE] list                 gateways of which two lives were seen
           Telemetry.Cloud forks [--config FILE] resolve GATEWAY --reason R --note TEXT   says what it was
               R is card-replaced, image-restored, cloned, gateway-renamed or other; see docs/forks.md
           Telemetry.Cloud repartition --partitions N [--config FILE]   changes the number of partitions
    FILE is ./telemetry.json unless given. TELEMETRY__SECTION__KEY in the environment overrides section.key.
    Exit code: 0 done and well; 1 something that it needs is not as it should be; 2 wrong command or configuration.
    """;

if (args.Contains("--help") || args is ["-h" or "help"])
{
    Console.WriteLine(Usage);
    return 0;
}

if (args is ["--version"])
{
    Console.WriteLine($"Telemetry.Cloud {typeof(CloudSettings).Assembly.GetName().Version?.ToString(3)}");
    return 0;
}

var command = args is [{ } first, ..] && !first.StartsWith('-') ? first : "run";
var options = args.SkipWhile(argument => argument == command).ToArray();
if (command == "password" && options is [{ } gateway] && GatewayId.TryParse(gateway, out var id))
{
    if (Console.ReadLine() is not { Length: > 0 } password)
    {
        Console.Error.WriteLine("the password is empty: give it as one line on standard input");
        return 2;
    }

    Console.WriteLine(GatewayPasswords.Line(id, System.Text.Encoding.UTF8.GetBytes(password)));
    return 0;
}

if (command == "rules" && options is ["check", { } rulesFile])
{
    return RulesCommand.Check(rulesFile, Console.Out, Console.Error) ? 0 : 2;
}

var letters = new DeadLetterArguments();
if (command == "dead-letters")
{
    var words = options is ["--config", _, ..] ? options[2..] : options;
    options = options[..^words.Length];
    if (DeadLetterArguments.Read(words, TimeProvider.System.GetUtcNow(), out letters) is { } wrong)
    {
        Console.Error.WriteLine(wrong);
        command = "";
    }
}

var partitions = 0;
if (command == "repartition")
{
    options = RepartitionArguments.Take(options, out partitions) ?? ["--partitions"];
}

var forks = new ForkArguments();
if (command == "forks")
{
    var words = options is ["--config", _, ..] ? options[2..] : options;
    options = options[..^words.Length];
    if (ForkArguments.Read(words, out forks) is { } wrong)
    {
        Console.Error.WriteLine(wrong);
        command = "";
    }
}

if (command is not ("run" or "check" or "dead-letters" or "repartition" or "forks")
    || options is not ([] or ["--config", _]))
{
    if (command is not ("" or "run" or "check" or "dead-letters" or "rules" or "password"))
    {
        Console.Error.WriteLine($"there is no command '{command}'");
    }

    Console.Error.WriteLine(Usage);
    return 2;
}

CloudSettings? settings = null;
IReadOnlyList<string> problems;
if (ConfigurationFile.Load(options is [_, { } path] ? path : "telemetry.json", out var unread) is { } configuration)
{
    settings = CloudSettings.Read(configuration, out problems);
}
else
{
    problems = [unread];
}

if (settings is null)
{
    foreach (var problem in problems)
    {
        Console.Error.WriteLine(problem);
    }

    return 2;
}

using var stop = new CancellationTokenSource();
void Stop(PosixSignalContext context)
{
    context.Cancel = true;
    stop.Cancel();
}

using var terminated = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
using var interrupted = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
if (command == "dead-letters")
{
    return await new DeadLettersCommand(settings, Console.Out, Console.Error).RunAsync(letters, stop.Token);
}

if (command == "forks")
{
    return await new ForksCommand(settings, Console.Out, Console.Error).RunAsync(forks, stop.Token);
}

if (command == "check")
{
    return await new CheckCommand(settings, TimeProvider.System, Console.Out).RunAsync(stop.Token) ? 0 : 1;
}

using var logging = LoggerFactory.Create(builder =>
{
    var least = command == "repartition" ? LogLevel.Warning : settings.LogLevel;
    builder.SetMinimumLevel(least).AddFilter("Microsoft", LogLevel.Warning);
    _ = settings.LogAsJson
        ? builder.AddJsonConsole(console => console.UseUtcTimestamp = true)
        : builder.AddSimpleConsole(console =>
        {
            console.SingleLine = true;
            console.UseUtcTimestamp = true;
            console.TimestampFormat = "yyyy-MM-dd'T'HH:mm:ss.fff'Z' ";
        });
});
var logger = logging.CreateLogger("Telemetry.Cloud");
if (command == "repartition")
{
    return await new RepartitionCommand(
        settings, TimeProvider.System, SystemRandom.Instance, logger, Console.Out, Console.Error)
        .RunAsync(partitions, stop.Token);
}

try
{
    var running = new CloudHost(settings, TimeProvider.System, SystemRandom.Instance, logging).RunAsync(stop.Token);
    await Task.WhenAny(running, Task.Delay(Timeout.Infinite, stop.Token));
    await running.WaitAsync(settings.StopWithin);
    return 0;
}
catch (TimeoutException) when (stop.IsCancellationRequested)
{
    OperationsLog.StopCut(logger, settings.StopWithin);
    return 1;
}
catch (InstallationException e)
{
    OperationsLog.InstallationRefused(logger, e.Message);
    return 1;
}
catch (StoreException e) when (e.InnerException is null && !e.IsDataFault)
{
    // Our own refusal of the database (another version): it says all there is to say.
    OperationsLog.DatabaseRefused(logger, e.Message);
    return 1;
}
catch (StartException e)
{
    OperationsLog.NotStarted(logger, e.Message);
    return 1;
}
catch (Exception e)
{
    OperationsLog.Failed(logger, e);
    return 1;
}
