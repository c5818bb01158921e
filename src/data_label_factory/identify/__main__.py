from data_label_factory.identify.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
